localrules:
    train,


rule train:
    input:
        made_by("train"),


rule cell:
    input:
        afresh("train"),
        **reads("train"),
    output:
        **writes("train"),
    log:
        f"{LOGS}/train/{{dataset}}/{{method}}/seed{{seed}}.log",
    benchmark:
        f"{RUNTIMES}/train/{{dataset}}/{{method}}/seed{{seed}}.jsonl"
    priority: work
    conda:
        "../envs/sagan-div.yaml"
    resources:
        gpu=1,
    params:
        settings=told("train"),
        study=STUDY.study,
    message:
        "train {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "sagan-div train --study {params.study} --settings {params.settings:q} --threads {threads} > {log} 2>&1"
