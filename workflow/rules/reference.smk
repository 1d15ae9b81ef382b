localrules:
    reference,
    fetch_weights,


rule reference:
    input:
        made_by("reference"),


rule fetch_weights:
    input:
        unpack(reads("weights")),
    output:
        **writes("weights"),
    log:
        RULES.log("reference", "weights"),
    priority: 30  # that they cannot be had is said before anything takes hours
    conda:
        "../envs/sagan-div.yaml"
    resources:
        **RULES.asks("weights"),
    params:
        settings=settings("weights"),
        study=RULES.study.study,
        root=root("weights"),
    message:
        "fetch Inception's weights"
    shell:
        "sagan-div weights --study {params.study} --root {params.root:q} --settings {params.settings:q} 2>&1 | tee {log:q}"


rule train_classifier:
    input:
        unpack(reads("classifier")),
    output:
        **writes("classifier"),
    log:
        RULES.log("reference", "{dataset}", "domain-classifier"),
    benchmark:
        RULES.runtime("reference", "{dataset}", "domain-classifier")
    conda:
        "../envs/sagan-div.yaml"
    resources:
        **RULES.asks("classifier", "reference", "{dataset}", "domain-classifier"),
    params:
        device=RULES.device,
        settings=settings("classifier"),
        study=RULES.study.study,
        root=root("classifier"),
    message:
        "train the domain classifier of {wildcards.dataset}"
    shell:
        "sagan-div classifier --study {params.study} --root {params.root:q} --settings {params.settings:q}"
        " --device {params.device:q} --threads {threads} > {log:q} 2>&1"


rule reference_statistics:
    input:
        unpack(reads("reference")),
    output:
        **writes("reference"),
    log:
        RULES.log("reference", "{dataset}", "{extractor}"),
    benchmark:
        RULES.runtime("reference", "{dataset}", "{extractor}")
    priority: 20  # above all training, which takes hours: it tells a dataset that is too small
    conda:
        "../envs/sagan-div.yaml"
    resources:
        **RULES.asks("reference", "reference", "{dataset}", "{extractor}"),
    params:
        device=RULES.device,
        settings=settings("reference"),
        study=RULES.study.study,
        root=root("reference"),
    message:
        "reference statistics of {wildcards.dataset} in the {wildcards.extractor}'s space"
    shell:
        "sagan-div reference --study {params.study} --root {params.root:q} --settings {params.settings:q}"
        " --device {params.device:q} --threads {threads} > {log:q} 2>&1"


rule real_vs_real:
    input:
        unpack(reads("real_vs_real")),
    output:
        **writes("real_vs_real"),
    log:
        RULES.log("reference", "{dataset}", "{extractor}.real-vs-real"),
    benchmark:
        RULES.runtime("reference", "{dataset}", "{extractor}.real-vs-real")
    conda:
        "../envs/sagan-div.yaml"
    resources:
        **RULES.asks(
            "real_vs_real", "reference", "{dataset}", "{extractor}.real-vs-real"
        ),
    params:
        device=RULES.device,
        settings=settings("real_vs_real"),
        study=RULES.study.study,
        root=root("real_vs_real"),
    message:
        "real against real images of {wildcards.dataset} in the {wildcards.extractor}'s space"
    shell:
        "sagan-div real-vs-real --study {params.study} --root {params.root:q} --settings {params.settings:q}"
        " --device {params.device:q} --threads {threads} > {log:q} 2>&1"
