localrules:
    score,


rule score:
    input:
        made_by("score"),


rule score_cell:
    input:
        unpack(reads("score")),
    output:
        **writes("score"),
    log:
        RULES.log("score", *CELL),
    benchmark:
        RULES.runtime("score", *CELL)
    conda:
        "../envs/sagan-div.yaml"
    resources:
        **RULES.asks("score", "score", *CELL),
    params:
        device=RULES.device,
        settings=settings("score"),
        study=RULES.study.study,
        root=root("score"),
    message:
        "score {wildcards.dataset} {wildcards.method} seed {wildcards.seed}"
    shell:
        "sagan-div score --study {params.study} --root {params.root:q} --settings {params.settings:q}"
        " --device {params.device:q} --threads {threads} > {log:q} 2>&1"
